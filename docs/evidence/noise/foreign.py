# foreign.py VIRTSCOPE foreign.yaml: CPU time of all processes that are not virtscope's, from /proc, against noise.others of the run.
import os,time,sys,json,gzip,subprocess,glob,csv
def procs():
    out={}
    for p in os.listdir('/proc'):
        if p.isdigit():
            try: s=open(f'/proc/{p}/stat').read()
            except OSError: continue
            f=s[s.rindex(')')+2:].split()
            out[int(p)]=(int(f[1]),sum(map(int,f[11:15]))/100)
    return out
def tree(ps,root):
    t={root}
    while True:
        n={p for p,(pp,_) in ps.items() if pp in t}|t
        if n==t: return t
        t=n
run=subprocess.Popen([sys.argv[1],'run','--runs','runs',sys.argv[2]],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)
s=[]
while run.poll() is None:
    ps=procs(); t=tree(ps,run.pid)
    s.append((time.time_ns(),sum(v for p,(pp,v) in ps.items() if p not in t)))
    time.sleep(0.2)
R=max(glob.glob('runs/noise-foreign*'),key=os.path.getmtime)
own=[]; st={}
for l in gzip.open(glob.glob(R+'/trials/*/records.ndjson.gz')[0]):
    r=json.loads(l)
    if r['n']=='host.cpu.own': own.append(r['t'])
    if r['n']=='trial.state': st[r['a']['state']]=r['t']
own=[t for t in own if st['baseline']<=t<=st['collect']]
near=lambda t:min(s,key=lambda x:abs(x[0]-t))
a,b=near(own[0]),near(own[-1])
print('by /proc: %.3f CPUs over %.2f s'%((b[1]-a[1])/((b[0]-a[0])/1e9),(b[0]-a[0])/1e9))
for r in csv.DictReader(open(R+'/trials.csv')):
    if r['metric']=='noise.others': print('noise.others',r['value'],r['low'],r['high'])
