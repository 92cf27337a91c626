"""The ranks and the spent chance of sequences of looks, in exact rational arithmetic by another way than the walk's distribution:
for each rank that a look may take, all paths are counted anew, by recursion over the numbers of heads.

    python3 sequential.py > sequential.json      # Python 3.11, standard library only
"""
import json
import math
from fractions import Fraction
from functools import lru_cache


def escaped(ranks):
    """The chance that a walk of fair coins leaves the band of these ranks, by number of coins from 1."""
    last = len(ranks)

    @lru_cache(maxsize=None)
    def paths(n, heads):
        """How many ways of coins n+1 … last leave the band, of a walk that is inside with so many heads of n."""
        if n == last:
            return 0
        total = 0
        for h in (heads, heads + 1):
            k = ranks[n]
            if k and (h < k or h > n + 1 - k):
                total += 2 ** (last - n - 1)
            else:
                total += paths(n + 1, h)
        return total

    return Fraction(paths(0, 0), 2**last)


def sequence(confidence, first, last):
    ranks = []
    k = 0
    for n in range(1, last + 1):
        if n >= first:
            allowed = (1 - confidence) * math.log1p((math.e - 1) * n / last)
            while 2 * (k + 1) <= n and escaped(tuple(ranks + [k + 1])) <= allowed * (1 + 1e-12):
                k += 1
        ranks.append(k if n >= first else 0)
    return {"confidence": confidence, "first": first, "last": last, "ranks": ranks, "spent": float(escaped(tuple(ranks)))}


print(json.dumps([sequence(*c) for c in [(0.95, 5, 10), (0.95, 5, 30), (0.95, 10, 50), (0.99, 2, 40), (0.5, 2, 12), (0.95, 20, 20)]], indent=1))
