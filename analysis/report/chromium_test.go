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

// drive opens every trial in a frame as wide as a phone, and tells what came of it in the title.
const drive = `<iframe id="f" src="report.html" style="width:375px;height:800px"></iframe><script>
f.onload = () => {
  const w = f.contentWindow, d = w.document, bad = [];
  w.onerror = m => { bad.push(m); };
  d.getElementById("theme").click();
  const drawn = d.querySelectorAll("details.trial:not([open]) .uplot").length;
  d.querySelectorAll("details.trial").forEach(e => { e.open = true; });
  setTimeout(() => {
    const wide = d.documentElement.scrollWidth > d.documentElement.clientWidth;
    const all = [...d.querySelectorAll(".series")].every(s => s.querySelector(".uplot canvas"));
    document.title = "done wide=" + wide + " early=" + drawn + " all=" + all + " some=" + (d.querySelectorAll(".series").length > 0) +
      " theme=" + !!d.documentElement.dataset.theme + " figures=" + (d.querySelectorAll("figure svg").length > 0) + " errors=" + bad.length;
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
	t.Run("few", func(t *testing.T) { openInChromium(t, few) })
	t.Run("many", func(t *testing.T) { openInChromium(t, many) })
}

func openInChromium(t *testing.T, r Run) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: the report is not opened in a browser")
	}
	dir := t.TempDir()
	var page bytes.Buffer
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"report.html": page.Bytes(), "drive.html": []byte(drive)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
		"file://"+filepath.Join(dir, "drive.html"))
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("open the report: %v\n%s", err, log.String())
	}
	want := "<title>done wide=false early=0 all=true some=true theme=true figures=true errors=0</title>"
	if !strings.Contains(out.String(), want) {
		t.Errorf("chromium does not say %s:\n%.400s", want, out.String())
	}
	if strings.Contains(log.String(), "CONSOLE") {
		t.Errorf("the console is not silent:\n%s", log.String())
	}
}
