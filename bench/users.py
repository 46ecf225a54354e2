"""The users of the bench: who they are, their keys, and the lines of /etc/passwd for them.

An account's number is its name and its uid. The DRIVEN users are spread evenly over a million, so that a store of a
million accounts is asked all over and its neighbour of a thousand holds exactly the ones that log in. Name services look
through /etc/passwd line by line, so the ONE user of the smallest store stands in the middle of it.
"""
import hashlib
import hmac

DRIVEN = range(0, 1_000_000, 1000)
ONE = 500_000
FIRST_UID = 200_000


def name(number):
    return "u%06d" % number


def uid(number):
    return FIRST_UID + number


def key(number):
    """The OATH key that pamdrive computes for this user too."""
    return hmac.new(b"pamdrive", name(number).encode(), hashlib.sha1).digest()


if __name__ == "__main__":
    for number in DRIVEN:
        print(f"{name(number)}:x:{uid(number)}:65534::/nonexistent:/usr/sbin/nologin")
