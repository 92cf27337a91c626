# Reference values of comparisons: python3 compare.py > compare.json
# SciPy where it has a method; Hodges-Lehmann, Cliff's delta and van Elteren by their definitions, by enumeration.
import itertools, json, math, platform
import numpy as np, scipy
from scipy import stats

def twosided(all_, obs):
    all_ = np.asarray(all_)
    tol = 1e-9
    return min(1, 2 * min(np.mean(all_ <= obs + tol), np.mean(all_ >= obs - tol)))

def mw_enum(x, y):  # exact with ties: all ways to choose head's midranks
    r = stats.rankdata(np.r_[x, y]); m = len(y)
    return twosided([sum(c) for c in itertools.combinations(r, m)], r[len(x):].sum())

def hl(x, y):
    return float(np.median(np.subtract.outer(y, x)))

def hl_interval(x, y, conf):  # order statistics of the differences, by SciPy's exact null distribution of U
    n, m = len(x), len(y)
    d = np.sort(np.subtract.outer(y, x).ravel())
    from scipy.stats._mannwhitneyu import _mwu_state
    p = _mwu_state.pmf(k=np.arange(n * m + 1), m=n, n=m)
    cum = np.cumsum(p); k = -1
    while cum[k + 1] <= (1 - conf) / 2 * (1 + 1e-12): k += 1
    if k < 0: return None
    return [float(d[k]), float(d[n * m - 1 - k]), float(1 - 2 * cum[k])]

def cliff(x, y, conf):
    D = np.sign(np.subtract.outer(y, x)); m, n = D.shape; d = D.mean()
    if abs(d) == 1: return [float(d)]
    v = (n**2 * ((D.mean(1) - d)**2).sum() + m**2 * ((D.mean(0) - d)**2).sum() - ((D - d)**2).sum()) / (m * n * (m-1) * (n-1))
    v = max(v, (1 - d*d) / (m*n - 1))
    z = stats.t.ppf((1 + conf) / 2, m + n - 2)
    h = z * math.sqrt(v) * math.sqrt((1 - d*d)**2 + z*z*v); u = 1 - d*d + z*z*v
    return [float(d), float(max(-1, (d - d**3 - h) / u)), float(min(1, (d - d**3 + h) / u))]

def welch(x, y):
    r = stats.ttest_ind(y, x, equal_var=False)
    return [float(r.statistic), float(r.pvalue)]

def perm(x, y):
    r = stats.permutation_test((y, x), lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis), n_resamples=np.inf, vectorized=True)
    return [float(r.statistic), float(r.pvalue)]

def pratt(d):
    r = stats.rankdata(np.abs(d)); r = r[d != 0]; s = d[d != 0]
    sums = [sum(c) for c in itertools.product(*[(0, v) for v in r])]
    return twosided(sums, r[s > 0].sum())

def paired(x, y, conf):
    d = np.subtract(y, x); n = len(d)
    w = np.sort([(d[i] + d[j]) / 2 for i in range(n) for j in range(i + 1)])
    sums = np.bincount([sum(c) for c in itertools.product(*[(0, i + 1) for i in range(n)])]) / 2**n
    cum = np.cumsum(sums); k = -1
    while cum[k + 1] <= (1 - conf) / 2 * (1 + 1e-12): k += 1
    t = stats.ttest_rel(y, x)
    out = dict(base=list(x), head=list(y), p=float(pratt(d)), shift=float(np.median(w)), t=[float(t.statistic), float(t.pvalue)],
               interval=None if k < 0 else [float(w[k]), float(w[len(w) - 1 - k]), float(1 - 2 * cum[k])])
    if len(set(np.abs(d))) == n and 0 not in d:
        out["scipy_p"] = float(stats.wilcoxon(y, x, mode="exact").pvalue)
    pt = stats.permutation_test((y, x), lambda a, b, axis: (a - b).mean(axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True)
    out["perm"] = float(pt.pvalue)
    return out

def elteren(blocks):
    terms = []; obs = 0
    for x, y in blocks:
        r = stats.rankdata(np.r_[x, y]) / (len(x) + len(y) + 1)
        terms.append([sum(c) for c in itertools.combinations(r, len(y))]); obs += r[len(x):].sum()
    total = np.zeros(1)
    for t in terms: total = np.add.outer(total, t).ravel()
    return twosided(total, obs)

rng = np.random.default_rng(11)
un, pa, st = [], [], []
for n, m, loc, digits in [(5, 6, 1, 4), (8, 8, 0, 4), (4, 4, 3, 4), (7, 5, 1, 0), (9, 9, .5, 0), (3, 9, 2, 1)]:
    x = np.round(rng.normal(10, 2, n), digits); y = np.round(rng.normal(10 + loc, 3, m), digits)
    c = dict(base=list(x), head=list(y), u=float(stats.mannwhitneyu(y, x).statistic), p=float(mw_enum(x, y)),
             welch=welch(x, y), perm=perm(x, y), shift=hl(x, y), interval=hl_interval(x, y, .95), delta=cliff(x, y, .95),
             ratio=float(np.exp(hl(np.log(x), np.log(y)))))
    if len(set(np.r_[x, y])) == n + m: c["scipy_p"] = float(stats.mannwhitneyu(y, x, method="exact").pvalue)
    un.append(c)
x = np.round(rng.normal(10, 2, 60), 0); y = np.round(rng.normal(11, 2, 200), 0)
big = dict(base=list(x), head=list(y), p=float(stats.mannwhitneyu(y, x, method="asymptotic").pvalue))
for n, digits in [(6, 4), (10, 3), (8, 0), (12, 0)]:
    x = np.round(rng.normal(10, 2, n), digits); y = np.round(x + rng.normal(.5, 1.2, n), digits)
    pa.append(paired(x, y, .95))
for sizes in [[(2, 2), (3, 2), (2, 3)], [(3, 3), (3, 3)], [(1, 2), (2, 2), (4, 3)]]:
    b = [(list(np.round(rng.normal(5 * i, 1, n), 1)), list(np.round(rng.normal(5 * i + 1, 1, m), 1))) for i, (n, m) in enumerate(sizes)]
    st.append(dict(blocks=b, p=float(elteren(b))))
bca = []
for n, f in [(12, lambda v: v), (30, np.exp)]:
    v = np.round(f(rng.normal(1, .7, n)), 4)
    e = dict(values=list(v))
    for name, fn in [("mean", np.mean), ("median", np.median)]:
        r = stats.bootstrap((v,), fn, confidence_level=.95, n_resamples=200000, method="BCa", random_state=3, vectorized=True, batch=20000).confidence_interval
        e[name] = [float(r.low), float(r.high)]
    bca.append(e)
print(json.dumps(dict(made_with=f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}",
                      unpaired=un, big=big, paired=pa, strata=st, bca=bca), indent=1))
