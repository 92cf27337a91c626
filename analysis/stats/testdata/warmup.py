# Reference values of the search for a warm-up: python3 warmup.py > warmup.json
# The maximally selected rank statistic by its definition, and its exact p over all permutations within treatments.
import itertools, json, platform
import numpy as np, scipy
from scipy.stats import rankdata

def data(orders, values):
    rows = []
    for t, (o, v) in enumerate(zip(orders, values)):
        m = np.median(v)
        rows += [(oo, t, (vv - m) / abs(m)) for oo, vv in zip(o, v)]
    rows.sort()
    return [r[1] for r in rows], np.array([r[2] for r in rows])

def selected(t, a):
    t, a, n = np.array(t), np.array(a), len(a)
    best, first = 0, 0
    for c in range(1, n // 2 + 1):
        mean = var = 0
        for k in set(t):
            r, m, N = a[t == k], np.sum(t[:c] == k), np.sum(t == k)
            mean += m * r.mean(); var += m * (N - m) / (N - 1) * r.var()
        z = abs(a[:c].sum() - mean) / np.sqrt(var) if var > 1e-9 else 0
        if z > best + 1e-9: best, first = z, c
    return best, first

def case(orders, values):
    t, share = data(orders, values)
    a = rankdata(share)
    best, first = selected(t, a)
    places = [[i for i, k in enumerate(t) if k == j] for j in range(len(orders))]
    hit = total = 0
    for combo in itertools.product(*[itertools.permutations(a[p]) for p in places]):
        b = a.copy()
        for p, c in zip(places, combo): b[p] = c
        hit += selected(t, b)[0] >= best - 1e-9; total += 1
    change = float(np.median(share[:first]) - np.median(share[first:]))
    return dict(order=orders, values=values, z=float(best), first=first, p=hit / total, change=change)

cases = [
    case([[1, 2, 3, 4, 5, 6, 7, 8]], [[9.0, 8.5, 5.2, 5.1, 4.9, 5.3, 4.8, 5.0]]),
    case([[1, 2, 3, 4, 5, 6, 7, 8]], [[5.0, 5.2, 9.0, 5.1, 4.9, 5.3, 4.8, 4.7]]),
    case([[2, 3, 5, 8, 11, 12, 14, 15]], [[5.0, 5.0, 4.0, 6.0, 4.0, 5.0, 6.0, 5.0]]),
    case([[1, 4, 5, 9], [2, 3, 6, 7, 8]], [[1.5, 1.1, 1.0, 1.2], [40.0, 39.0, 29.0, 33.0, 30.0]]),
]
print(json.dumps(dict(made_with=f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}", cases=cases), indent=1))
