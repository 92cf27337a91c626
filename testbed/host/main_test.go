package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// The test program plays the started processes: modeVar says which.
const modeVar = "VIRTSCOPE_HOST_TEST_MODE"

func TestMain(m *testing.M) {
	switch mode := os.Getenv(modeVar); mode {
	case "":
		os.Exit(m.Run())
	case "deaf": // ignores SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Minute)
	case "parent", "orphan": // starts a child in its group and says its PID; an orphan's parent ends at once
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(child.Process.Pid)
		if mode == "parent" {
			time.Sleep(time.Minute)
		}
	case "controller": // starts a process through a Local, says its PID, and waits to be killed
		l, err := NewLocal("here")
		if err != nil {
			os.Exit(1)
		}
		p, err := l.Start(context.Background(), Cmd{Path: "sleep", Args: []string{"60"}})
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(p.PID())
		time.Sleep(time.Minute)
	case "fail":
		fmt.Fprintln(os.Stderr, "no luck")
		os.Exit(3)
	default:
		fmt.Println("unknown mode", mode)
		os.Exit(2)
	}
}
