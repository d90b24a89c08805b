"""One description of everything that a config can name, made from the classes: what `initlab help`
prints, the pages of docs/reference and the schemas for editors are written from it.

entry      what is said of one kind, key or command; its parts are read from a docstring
values     what an option may be, in words and in JSON Schema, from its type
groups     the groups: layers, init, …, keys, commands, each with its entries
terminal   the text of `initlab help`
pages      the pages of docs/reference
schemas    the JSON Schemas of `initlab schema`
"""
