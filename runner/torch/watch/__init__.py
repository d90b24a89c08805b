"""Watching a construction: who wrote each parameter and buffer of a torch module, when and with what.

record/     every write, over memory that is filled with NaN first
    places      whose code an operation was called from
    recording   the dispatch mode
    views       which elements of a storage a write touched
    writelaws   the law of what was written, from operations and arguments
    history     the writes of one tensor, in order
    models      the models that were made, and their tensors
    found       what checks look at, and what they find
    rebuilding  building a model again, anew or with another spread
checks/     what is looked for: an open set
allowing    what is meant
report      what is printed
watching    `watch()`
locking     `lock()`: laws and writers as text
"""
