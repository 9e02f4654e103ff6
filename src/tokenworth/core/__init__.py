"""Vocabulary of the whole system, standard library only.

units      what can be billed: dimension sets with one name each
exact      integer arithmetic that also runs on a column: clip, half-even rounding
money      decimal text <-> integer pico-units (rates) and nano-units (amounts)
instants   UTC microseconds <-> text
ids        sortable ids, digests
extras     libraries of the optional extras, or the way to install them
errors     the exception tree, each with a stable code and a mend
"""
