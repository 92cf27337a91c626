// Command viewer measures how fast a page with series of many points opens and zooms in headless Chromium.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
	"virtscope/analysis/report"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// drive opens the report in a frame, then its trial, zooms in and out step by step, and tells how long each took. A step lasts until
// the frame after it was drawn.
const drive = `<!DOCTYPE html><body style="margin:0"><iframe id="f" style="width:1280px;height:900px;border:0"></iframe><script>
const wait = () => new Promise(r => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = r; c.port2.postMessage(0); }));
(async () => {
  const begin = performance.now();
  await new Promise(r => { f.onload = r; f.src = "report.html"; });
  await wait();
  const loaded = performance.now(), d = f.contentDocument, t = d.querySelector("details.trial");
  t.open = true;
  while (!t.querySelector(".series[data-ready]")) await wait();
  await wait();
  const drawn = performance.now(), place = t.querySelector(".series"), steps = [];
  place.scrollIntoView();
  await wait();
  for (const key of [..."+++++", ..."-----", "0", ..."++", ..."→→→→", ..."←←←←", ..."+++++++", "0"]) {
    const at = performance.now();
    place.dispatchEvent(new KeyboardEvent("keydown", { key: { "→": "ArrowRight", "←": "ArrowLeft" }[key] || key, bubbles: true }));
    await wait();
    await wait();
    steps.push(performance.now() - at);
  }
  const own = f.contentWindow.performance.getEntriesByName("viewer.step").map(e => e.duration), sort = l => l.sort((a, b) => a - b);
  const show = l => sort(l)[l.length >> 1].toFixed(0) + " ms, at most " + l[l.length - 1].toFixed(0) + " ms";
  const said = "opened in " + (loaded - begin).toFixed(0) + " ms; its trial unpacked and drawn in " + (drawn - loaded).toFixed(0) + " ms; a step of zoom or move: script " +
    show(own) + ", until the screen shows it " + show(steps) + " (" + steps.length + " steps, " + place.querySelectorAll(".uplot").length + " panels)";
  await fetch("done", { method: "POST", body: said });
})().catch(e => fetch("done", { method: "POST", body: "failed: " + e }));
</script>`

func main() {
	points := flag.Int("points", 1_000_000, "points of the largest series")
	page := flag.String("page", "", "a report to open instead of one that is made")
	keep := flag.String("keep", "", "where to keep the page that is made")
	flag.Parse()
	if err := run(*points, *page, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "bench/viewer:", err)
		os.Exit(1)
	}
}

func run(points int, page, keep string) error {
	text, err := os.ReadFile(page)
	if page == "" {
		text, err = made(points)
	}
	if err != nil {
		return err
	}
	if keep != "" {
		if err := os.WriteFile(keep, text, 0o644); err != nil {
			return err
		}
	}
	said, err := open(text)
	fmt.Printf("page of %.1f MiB: %s\n", float64(len(text))/(1<<20), said)
	return err
}

// open serves the page to a Chromium, and returns what it measured.
func open(text []byte) (string, error) {
	done := make(chan string, 1)
	mux := http.NewServeMux()
	serve := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(body) // a browser that has gone says nothing more
		}
	}
	mux.HandleFunc("/report.html", serve(text))
	mux.HandleFunc("/", serve([]byte(drive)))
	mux.HandleFunc("/done", func(_ http.ResponseWriter, r *http.Request) {
		said, err := io.ReadAll(r.Body)
		if err != nil {
			said = []byte(err.Error())
		}
		done <- string(said)
	})
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()   // ends with Close
	defer func() { _ = server.Close() }() // nobody listens any more
	profile, err := os.MkdirTemp("", "viewer")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(profile) }() // a folder of its own
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,950",
		"--user-data-dir="+profile, "--enable-logging=stderr", "--remote-debugging-port=0", "http://"+l.Addr().String()+"/")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() { cancel(); _ = cmd.Wait() }() // it is killed
	select {
	case said := <-done:
		if bytes.Contains(log.Bytes(), []byte("CONSOLE")) {
			return said, errors.New("the console is not silent: " + log.String())
		}
		return said, nil
	case <-ctx.Done():
		return "", errors.New("chromium said nothing in two minutes: " + log.String())
	}
}

// made is the page of a trial with series of so many points: a link's bins and a probe's round trips, and a hundredth of that of CPU.
func made(points int) ([]byte, error) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const action = int64(1_700_000_000e9)
	const ms = int64(1e6)
	length := int64(points) * ms
	link := timeline.Trace{Panel: timeline.PanelLink, Label: "migration", Unit: results.BytesPerSecond, Rate: true}
	echo := timeline.Trace{Panel: timeline.PanelEcho, Label: "round trip", Unit: results.Seconds}
	cpu := timeline.Trace{Panel: timeline.PanelCPU, Label: "source", Unit: results.One, Rate: true}
	for i := range points {
		at := int64(i) * ms
		link.T, link.V = append(link.T, at), append(link.V, float64(rnd.IntN(80_000))*1448)
		trip := 80e-6 * math.Exp(rnd.NormFloat64()/2)
		if i%10_007 == 0 {
			trip = math.NaN()
		}
		echo.T, echo.V = append(echo.T, at+rnd.Int64N(ms/2)), append(echo.V, trip)
		if i%100 == 0 {
			cpu.T, cpu.V = append(cpu.T, at), append(cpu.V, rnd.Float64())
		}
	}
	edge := func(at int64) timeline.Edge { return timeline.Edge{Time: action + at} }
	tl := &timeline.Timeline{
		Verdict: results.Completed, Begin: edge(0), End: edge(length), ActionBegin: edge(0), ActionEnd: edge(length), Action: "migrate",
		Phases: []timeline.Span{{Name: "pre-copy round 1", Start: edge(0), End: edge(length)}},
		Rounds: []timeline.Round{{Name: "pre-copy round 1", N: 1, Start: edge(0), End: edge(length)}},
	}
	series, err := report.Pack(tl, timeline.Traces{To: length, List: []timeline.Trace{link, echo, cpu}})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	trial := results.Trial{ID: "001-r1", Order: 1, Replicate: 1}
	err = report.WriteHTML(&b, report.Run{
		Manifest: results.Manifest{Run: "many-points", Name: "many-points"},
		Trials:   []report.Trial{{Outcome: results.Outcome{Trial: trial, Verdict: results.Completed}, Timeline: tl, Series: series}},
	})
	return b.Bytes(), err
}
