"""Other people's usage, read: bytes or rows in, typed uses or problems out; nothing is decided here.

cells        one record's fields, each checked, all problems together
rows         our own flat rows, and the `data` of events
cloudevents  structured CloudEvents, one or a batch
litellm      rows of LiteLLM's spend log
otlp         OpenTelemetry spans, as JSON or protobuf
files        CSV, JSON lines and Parquet, record by record
"""
