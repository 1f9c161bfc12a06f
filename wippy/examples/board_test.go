// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is Chromium without a window; nil, outside of the verification of the repository, where
// it is not installed.
func browser(t *testing.T) context.Context {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is not installed")
		}
		t.Attr("left-out", "chromium is not installed")
		return nil
	}
	// The test is one of the program's own pages, and containers have no place for a sandbox. A browser that notices that
	// it stood still for a while must not take itself for broken.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-gpu-watchdog", true), chromedp.WSURLReadTimeout(2*patience))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	return ctx
}

// page opens a page in a window of its own.
func page(t *testing.T, browser context.Context, url string) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	do(t, ctx, chromedp.Navigate(url), chromedp.WaitVisible("#form"), until(`document.getElementById("state").textContent === "live"`))
	return ctx
}

// until waits for a condition of the page, however long the action it is part of may take.
func until(condition string) chromedp.Action {
	return chromedp.Poll(condition, nil, chromedp.WithPollingTimeout(0), chromedp.WithPollingInterval(20*time.Millisecond))
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	// A first action starts the browser, which lives as long as the context it got.
	if chromedp.FromContext(ctx).Target == nil {
		if err := chromedp.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// board starts the example and returns its address and what ends it. Whoever watches the board should leave before: its
// server waits for them, for longer than by default, so that the end is a clean one on the slowest machine.
func board(t *testing.T) (url string, end func() string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "wippy"), "run", "-C", "board", "-o", "app:server:lifecycle.stop_timeout=20s")
	cmd.Env = append(os.Environ(), "BOARD_ADDRESS=127.0.0.1:0")
	var out output
	out.changed = make(chan struct{})
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	limit := time.After(patience)
	for {
		text, changed := out.state()
		if m := regexp.MustCompile(`"address":"(127[^"]+)"`).FindStringSubmatch(text); m != nil {
			url = "http://" + m[1]
			break
		}
		select {
		case <-changed:
		case err := <-ended:
			t.Fatalf("the board ended: %v\n%s", err, text)
		case <-limit:
			t.Fatalf("the board does not listen:\n%s", text)
		}
	}
	return url, func() string {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case err := <-ended:
			var code *exec.ExitError
			if errors.As(err, &code) && code.ExitCode() != 130 || err != nil && code == nil {
				t.Errorf("the board ended: %v", err)
			}
		case <-time.After(patience):
			t.Error("the board does not end")
		}
		text, _ := out.state()
		return text
	}
}

// The interface of the board, as another program sees it.
func TestBoard(t *testing.T) {
	url, end := board(t)
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	ask := func(method, path, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.Itoa(res.StatusCode) + " " + string(text)
	}
	watcher := &http.Client{} // without a limit: the stream lasts as long as the test
	defer watcher.CloseIdleConnections()
	live, err := watcher.Get(url + "/api/live")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	events := bufio.NewReader(live.Body)
	see := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(events, got); err != nil || string(got) != want {
			t.Fatalf("event %q, %v; want %q", got, err, want)
		}
	}
	see("event: all\ndata: []\n\n")
	for _, c := range []struct{ method, path, body, want, event string }{
		{"POST", "/api/messages", `{"author": "Ada", "text": "hello"}`, `201 {"author":"Ada","id":1,"text":"hello"}`,
			"event: posted\ndata: {\"author\":\"Ada\",\"id\":1,\"text\":\"hello\"}\n\n"},
		{"GET", "/api/messages", "", `200 [{"author":"Ada","id":1,"text":"hello"}]`, ""},
		{"POST", "/api/messages", `{"author": "Ada"}`, `400 {"error":"author and text must be texts"}`, ""},
		{"POST", "/api/messages", `[`, "400 ", ""},
		{"POST", "/api/messages", `{"author": "Ada", "text": " "}`, `422 {"error":"author and text must not be empty"}`, ""},
		{"POST", "/api/messages", strings.Repeat("x", 10001), `400 {"error":"request body too large"}`, ""},
		{"DELETE", "/api/messages/1", "", "204 ", "event: removed\ndata: {\"id\":1}\n\n"},
		{"DELETE", "/api/messages/1", "", `404 {"error":"there is no such message"}`, ""},
		{"DELETE", "/api/messages/x", "", `404 {"error":"there is no such message"}`, ""},
		{"GET", "/board.js", "", `200 "use strict";`, ""},
		{"GET", "/none", "", "404 404 page not found", ""},
	} {
		if got := ask(c.method, c.path, c.body); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s %s: %s, want %s", c.method, c.path, c.body, got, c.want)
		}
		if c.event != "" {
			see(c.event)
		}
	}
	live.Body.Close()
	if log := end(); strings.Contains(log, `"level":"error"`) {
		t.Errorf("the log of the board has errors:\n%s", log)
	}
}

// Two people in front of two browsers see the same board.
func TestBoardInABrowser(t *testing.T) {
	windows := browser(t)
	if windows == nil {
		return
	}
	url, end := board(t)
	ada := page(t, windows, url)
	bob := page(t, ada, url)

	var first, second string
	do(t, ada, chromedp.SendKeys("#author", "Ada"), chromedp.SendKeys("#text", "<b>hello</b> ü"), chromedp.Click("#send"),
		chromedp.WaitVisible("#m1"), chromedp.Text("#m1 span", &first), until(`document.getElementById("text").value === ""`))
	do(t, bob, chromedp.WaitVisible("#m1"), chromedp.Text("#m1 b", &second))
	if first != "<b>hello</b> ü" || second != "Ada" {
		t.Errorf("the message is %q by %q", first, second)
	}

	// The second answers, and removes what the first has said.
	do(t, bob, chromedp.SendKeys("#author", "Bob"), chromedp.SendKeys("#text", "hello yourself"), chromedp.Click("#send"), chromedp.WaitVisible("#m2"),
		chromedp.Click("#m1 button"), chromedp.WaitNotPresent("#m1"))
	do(t, ada, chromedp.WaitVisible("#m2"), chromedp.WaitNotPresent("#m1"))

	// What the board refuses is said on the page.
	do(t, ada, chromedp.SendKeys("#text", "   "), chromedp.Click("#send"), chromedp.WaitVisible("#problem"), chromedp.Text("#problem", &first))
	if first != "author and text must not be empty" {
		t.Errorf("the problem is %q", first)
	}

	// A page that is opened again begins with what is there.
	do(t, bob, chromedp.Reload(), chromedp.WaitVisible("#m2"), chromedp.Text("#messages li b", &second))
	if second != "Bob" {
		t.Errorf("the message is by %q", second)
	}

	for _, window := range []context.Context{bob, ada} {
		if err := chromedp.Cancel(window); err != nil { // closes it, and with the first one the browser
			t.Error(err)
		}
	}
	if log := end(); strings.Contains(log, `"level":"error"`) {
		t.Errorf("the log of the board has errors:\n%s", log)
	}
}
