package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// drive opens every trial in a frame as wide as a phone, and tells what came of it in the title: whether all series are drawn, whether
// the keyboard zooms and closes, and whether what is drawn of many readings keeps the one that stands out, and the gap.
const drive = `<iframe id="f" src="report.html" style="width:375px;height:800px"></iframe><script>
f.onload = () => {
  const w = f.contentWindow, d = w.document, bad = [];
  w.onerror = m => { bad.push(m); };
  d.getElementById("theme").click();
  const drawn = d.querySelectorAll("details.trial:not([open]) .uplot").length;
  d.querySelectorAll("details.trial").forEach(e => { e.open = true; });
  const inside = d.createElement("script");
  inside.textContent = ` + "`" + `
    const n = 100000, v = new Float32Array(n).fill(1), t = Float64Array.from(v, (_, i) => i / 1000);
    v[54321] = 9; v[12345] = -9; v.fill(NaN, 70000, 71000);
    const s = { t, v, n, scale: 1, levels: Viewer.pyramid(v) };
    window.kept = [1, 7, 100, 1000, 30000].every(width => [[0, 100], [12, 55], [0.1, 99.9]].every(([from, to]) => {
      const { xs, ys, gaps } = Viewer.sight(s, from, to, width, 1);
      const hole = to < 70 || gaps.length > 0 && (width < 100 || ys.includes(null));
      return ys.includes(9) && ys.includes(-9) && xs[ys.indexOf(9)] === 54.321 && hole && xs.length <= 6 * width + 6 + (width > 20000 ? n : 0);
    }));` + "`" + `;
  d.body.append(inside);
  setTimeout(() => {
    const wide = d.documentElement.scrollWidth > d.documentElement.clientWidth;
    const all = [...d.querySelectorAll(".series")].every(s => s.querySelector(".uplot canvas") && s.dataset.ready);
    const place = d.querySelector(".series"), trial = place && place.closest("details");
    const press = key => place.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const length = () => { const [a, b] = (place.dataset.shown || "0 1e9").split(" "); return b - a; };
    press("0"); const whole = length();
    press("+"); press("+"); const zoomed = length() < whole * 0.3;
    const row = place.querySelector(".u-legend .u-series[role=button]");
    row.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    const off = row.classList.contains("u-off");
    press("Escape");
    document.title = "done wide=" + wide + " early=" + drawn + " all=" + all + " some=" + (d.querySelectorAll(".series").length > 0) +
      " theme=" + !!d.documentElement.dataset.theme + " figures=" + (d.querySelectorAll("figure svg").length > 0) +
      " kept=" + w.kept + " zoomed=" + zoomed + " off=" + off + " closed=" + !trial.open + " errors=" + bad.length;
  }, 1500);
};</script>`

// TestChromium opens a report of a few trials, and one of so many that each is built when it is opened.
func TestChromium(t *testing.T) {
	few := sample(t)
	many := few
	many.Trials = nil
	for i := range lazyFrom + 2 {
		trial := few.Trials[i%len(few.Trials)]
		trial.Outcome.Trial.ID = fmt.Sprintf("%03d-%s", i, trial.Outcome.Trial.ID)
		many.Trials = append(many.Trials, trial)
	}
	const want = "<title>done wide=false early=0 all=true some=true theme=true figures=true kept=true zoomed=true off=true closed=true errors=0</title>"
	for name, r := range map[string]Run{"few": few, "many": many} {
		t.Run(name, func(t *testing.T) {
			if got := chromium(t, map[string]Run{"report": r}, drive); !strings.Contains(got, want) {
				t.Errorf("chromium does not say %s:\n%.400s", want, got)
			}
		})
	}
}

// TestChromiumOfLittle opens reports of runs of which little can be said, each in a frame as wide as a phone.
func TestChromiumOfLittle(t *testing.T) {
	var frames, want strings.Builder
	runs := map[string]Run{}
	for _, c := range little(t) {
		runs[c.name] = c.run
		fmt.Fprintf(&frames, `<iframe src="%s.html" style="width:375px;height:800px"></iframe>`, c.name)
		fmt.Fprintf(&want, "%s:false ", c.name)
	}
	got := chromium(t, runs, frames.String()+`<script>
onload = () => { document.title = [...document.querySelectorAll("iframe")].map(f => {
  const e = f.contentDocument.documentElement;
  return f.getAttribute("src").replace(".html", ":") + (e.scrollWidth > e.clientWidth);
}).join(" ") + " "; };</script>`)
	if !strings.Contains(got, "<title>"+strings.TrimSpace(want.String())) {
		t.Errorf("chromium does not say that none is too wide:\n%.400s", got)
	}
}

// chromium opens a page that drives reports, and returns the page as it then is. The console must be silent.
func chromium(t *testing.T, runs map[string]Run, drive string) string {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: the report is not opened in a browser")
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name+".html"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range runs {
		var page bytes.Buffer
		if err := WriteHTML(&page, r); err != nil {
			t.Fatal(err)
		}
		write(name, page.Bytes())
	}
	write("drive", []byte(drive))
	var out, log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
		"file://"+filepath.Join(dir, "drive.html"))
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("open the report: %v\n%s", err, log.String())
	}
	if strings.Contains(log.String(), "CONSOLE") {
		t.Errorf("the console is not silent:\n%s", log.String())
	}
	return out.String()
}
