"""The rules that turn two versions of a record into changes, one module per family, folding last.

Each family is a function `changes(old, new) -> list[Change]` over two `Trial`s, pure and total: whatever the records
hold, it answers. `COVERS` in each module names the attributes of `Trial` it answers for; together they are all of them.
"""
