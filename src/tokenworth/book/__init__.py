"""The operator's declared business: a folder of TOML files -> typed parts; all problems of all files at once.

source     TOML text -> plain data that remembers its lines
schema     the fields of each table, with their documentation
model      the typed parts
load       folder -> Book, or BookError with every problem
margin     margin of every product x unit at the dates on which a rate or a cost changes
"""
