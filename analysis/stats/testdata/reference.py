#!/usr/bin/env python3
"""Writes reference.json: what SciPy says of fixed data. Run it with SciPy 1.10 or newer: python3 reference.py > reference.json"""
import json, itertools
import numpy as np, scipy
from scipy import stats

sets = {
    "small": ([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30], [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]),
    "apart": ([10.1, 10.4, 9.8, 10.0, 10.3, 9.9], [12.0, 12.4, 11.8, 12.1, 12.6, 11.9]),
    "ties": ([1, 2, 2, 3, 3, 3, 4], [2, 3, 3, 4, 4, 5, 5]),
    "uneven": ([0.61, 0.58, 0.66, 0.63, 0.59], [0.60, 0.65, 0.71, 0.64, 0.69, 0.68, 0.72, 0.62]),
    "four": ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.5]),
}
out = {"scipy": scipy.__version__, "numpy": np.__version__, "cases": []}
def exact_mw(a, b):
    """By enumeration of all ways to deal out the midranks."""
    r = stats.rankdata(np.concatenate([a, b])); n = len(b); m = len(a)
    e = n * (m + n + 1) / 2; obs = abs(r[m:].sum() - e)
    sums = [abs(sum(c) - e) >= obs - 1e-9 for c in itertools.combinations(r, n)]
    return sum(sums) / len(sums)
def exact_permutation(a, b):
    """As above, of the values. SciPy doubles the smaller tail instead, which differs where the sides are not of one size."""
    x = np.concatenate([a, b]); n = len(b); e = x.sum() * n / len(x); obs = abs(b.sum() - e)
    sums = [abs(sum(c) - e) >= obs - 1e-9 for c in itertools.combinations(x, n)]
    return sum(sums) / len(sums)
for name, (a, b) in sets.items():
    a, b = np.array(a, float), np.array(b, float)
    d = np.sort((b[:, None] - a[None, :]).ravel())
    case = {"name": name, "base": a.tolist(), "head": b.tolist(),
            "mannwhitney_p": exact_mw(a, b),
            "welch_t": stats.ttest_ind(b, a, equal_var=False).statistic, "welch_p": stats.ttest_ind(b, a, equal_var=False).pvalue,
            "permutation_p": exact_permutation(a, b),
            "scipy_permutation_p": stats.permutation_test((b, a), lambda x, y: np.mean(x) - np.mean(y), n_resamples=np.inf, alternative="two-sided").pvalue,
            "shift": float(np.median(d)),
            "cliff": float(np.sign(b[:, None] - a[None, :]).mean())}
    if len(set(a) | set(b)) == len(a) + len(b):
        case["scipy_exact_p"] = stats.mannwhitneyu(b, a, method="exact").pvalue
    if len(a) == len(b):
        case["paired_t"] = stats.ttest_rel(b, a).statistic; case["paired_t_p"] = stats.ttest_rel(b, a).pvalue
        diff = b - a; r = stats.rankdata(abs(diff)); keep = diff != 0; r, s = r[keep], np.sign(diff[keep])
        up = r[s > 0].sum(); e = r.sum() / 2
        flips = [abs(sum(x for x, f in zip(r, fl) if f) - e) >= abs(up - e) - 1e-9 for fl in itertools.product([0, 1], repeat=len(r))]
        case["wilcoxon_p"] = sum(flips) / len(flips)
        if len(set(abs(diff))) == len(diff) and (diff != 0).all():
            case["scipy_wilcoxon_p"] = stats.wilcoxon(diff, mode="exact").pvalue
        walsh = [(diff[i] + diff[j]) / 2 for i in range(len(diff)) for j in range(i + 1)]
        case["paired_shift"] = float(np.median(walsh))
    out["cases"].append(case)
x = np.array([2.1, 2.3, 2.2, 2.9, 2.4, 2.0, 2.6, 3.8, 2.2, 2.5, 2.7, 2.3])
out["bca"] = {"data": x.tolist()}
for name, f in (("mean", np.mean), ("median", np.median)):
    ci = stats.bootstrap((x,), f, n_resamples=200000, method="BCa", random_state=1, confidence_level=0.95).confidence_interval
    out["bca"][name] = [ci.low, ci.high]
print(json.dumps(out, indent=1))
