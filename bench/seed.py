"""Writes many accounts into a stopped mfad's store: copies of one that mfactl made, under other names.

Nothing here knows what an account holds. The pattern's row is read, its name and its uid are exchanged wherever they
stand, in a column or inside the body, and the result is written. So a new field of the account needs no change here.
"""
import os
import re
import sqlite3

import users

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def replicate(state, pattern, numbers):
    """Adds an account for each of `numbers`, like the account `pattern`, to the store in the directory `state`."""
    db = sqlite3.connect(database_in(state))
    db.execute("PRAGMA synchronous = OFF")
    table, row = find_row(db, users.name(pattern))
    moulds = [mould(value, pattern) for value in row]
    places = ", ".join("?" * len(row))
    with db:
        db.executemany(
            f'INSERT INTO "{table}" VALUES ({places})',
            ([cast(number) for cast in moulds] for number in numbers if number != pattern),
        )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    os.sync()


def database_in(state):
    for name in sorted(os.listdir(state)):
        with open(os.path.join(state, name), "rb") as f:
            if f.read(16) == b"SQLite format 3\0":
                return f.name
    raise RuntimeError(f"there is no SQLite file in {state}")


def find_row(db, name):
    """The table of accounts, and the row of this one: the table whose unique key is the name."""
    for (table,) in db.execute(TABLES).fetchall():
        columns = db.execute(f'PRAGMA table_info("{table}")').fetchall()
        keys = [column[1] for column in columns if column[5]]
        if len(keys) == 1:
            row = db.execute(f'SELECT * FROM "{table}" WHERE "{keys[0]}" = ?', [name]).fetchone()
            if row:
                return table, row
    raise RuntimeError(f"no table has a row with the key {name}")


def mould(value, pattern):
    """A function from an account's number to the value that stands there for it."""
    if value == users.uid(pattern):
        return users.uid
    if not isinstance(value, (str, bytes)):
        return lambda _: value
    text = value if isinstance(value, str) else value.decode(errors="surrogateescape")
    pieces = re.split(rf"({users.name(pattern)}|(?<!\d){users.uid(pattern)}(?!\d))", text)
    if len(pieces) == 1:
        return lambda _: value

    def cast(number):
        exchanged = {users.name(pattern): users.name(number), str(users.uid(pattern)): str(users.uid(number))}
        written = "".join(exchanged.get(piece, piece) for piece in pieces)
        return written if isinstance(value, str) else written.encode(errors="surrogateescape")

    return cast
