// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// delayEnv is set in the program that TestDelaysOutliveAKill kills.
const delayEnv = "QUEUE_DELAY_DB"

// retry receives a message and gives it back.
func retry(tb tester, s queue.Subscription, want string, delay time.Duration) {
	tb.Helper()
	d := next(tb, s)
	if text(d) != want {
		tb.Fatalf("received %q, want %q", text(d), want)
	}
	settled(tb, d.Settler().Retry(context.Background(), delay))
}

func TestDelaysOutliveTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	synctest.Test(t, func(t *testing.T) {
		d := start(t, path, 10)
		s := consume(t, d, "q")
		publish(t, d, message("hour"), message("short"), message("quarter"), keyed("k", "half"), keyed("k", "follows"), message("soon"))
		retry(t, s, "hour", time.Hour)
		retry(t, s, "short", time.Minute)
		retry(t, s, "quarter", 15*time.Minute)
		retry(t, s, "half", 30*time.Minute)
		retry(t, s, "soon", 0)
		stop(t, d)
		<-time.After(5 * time.Minute) // it is not running
		for range 2 {
			d = start(t, path, 10)
			s = consume(t, d, "q")
			if info, err := d.Info(t.Context(), "q"); err != nil || info.Messages != 6 || info.InFlight != 0 {
				t.Errorf("%+v, %v", info, err)
			}
			if settled(t, s.Close()); t.Failed() {
				return
			}
			stop(t, d)
		}
		d = start(t, path, 10)
		defer stop(t, d)
		s = consume(t, d, "q")
		expect(t, s, "short", "soon", "")
		<-time.After(10*time.Minute - time.Second)
		expect(t, s, "")
		<-time.After(time.Second)
		quarter := next(t, s)
		if text(quarter) != "quarter" || quarter.Attempt != 2 {
			t.Fatalf("%q, attempt %d", text(quarter), quarter.Attempt)
		}
		settled(t, quarter.Settler().Retry(t.Context(), 0)) // its time is over now
		expect(t, s, "quarter", "")
		<-time.After(15 * time.Minute)
		expect(t, s, "half", "follows", "")
		<-time.After(30 * time.Minute)
		expect(t, s, "hour", "")
	})
}

// Those that come after a message of their key wait as long as it does, also when they are published after the start.
func TestHeldMessageHoldsThoseOfItsKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	synctest.Test(t, func(t *testing.T) {
		d := start(t, path, 10)
		publish(t, d, keyed("k", "1"))
		retry(t, consume(t, d, "q"), "1", time.Minute)
		stop(t, d)
		d = start(t, path, 10)
		defer stop(t, d)
		s := consume(t, d, "q")
		publish(t, d, keyed("k", "2"), message("other"))
		expect(t, s, "other", "")
		<-time.After(time.Minute)
		expect(t, s, "1", "2", "")
	})
}

// A file of the first version gets what it lacks.
func TestFirstVersionOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	makeDatabase(t, path, `CREATE TABLE messages (seq INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, attempts INTEGER NOT NULL,
		headers BLOB NOT NULL, format TEXT NOT NULL, body BLOB NOT NULL)`, "PRAGMA application_id = 0x77717565", "PRAGMA user_version = 1",
		"INSERT INTO messages VALUES (7, 'q', 'old', 2, x'80', 'text/plain', 'kept')")
	synctest.Test(t, func(t *testing.T) {
		d := start(t, path, 10)
		publish(t, d, message("new"))
		old := next(t, consume(t, d, "q"))
		if text(old) != "kept" || old.Attempt != 3 || old.Message.ID != "old" {
			t.Fatalf("%q, attempt %d", text(old), old.Attempt)
		}
		settled(t, old.Settler().Retry(t.Context(), time.Minute))
		stop(t, d)
		d = start(t, path, 10)
		defer stop(t, d)
		s := consume(t, d, "q")
		expect(t, s, "new", "")
		<-time.After(time.Minute)
		expect(t, s, "kept", "")
	})
}

// delayProgram gives two messages back, one for an hour, and waits for its end.
func delayProgram(path string) error {
	ctx := context.Background()
	d, err := openCrash(path, "NORMAL")
	if err != nil {
		return err
	}
	s, err := d.Consume(ctx, "q", queue.ConsumeOptions{})
	if err != nil {
		return err
	}
	for _, delay := range []time.Duration{time.Hour, time.Millisecond} {
		if err := d.Publish(ctx, "q", message(delay.String())); err != nil {
			return err
		}
		got, err := s.Receive(ctx)
		if err != nil {
			return err
		}
		if err := got.Settler().Retry(ctx, delay); err != nil {
			return err
		}
	}
	fmt.Println("given back")
	select {}
}

func TestDelaysOutliveAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), delayEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "given back" {
		t.Errorf("the program said %q", lines.Text())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the program ended by itself")
	}
	d, err := openCrash(path, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, d)
	s := consume(t, d, "q")
	for _, want := range []struct {
		text    string
		attempt int
	}{{"1ms", 2}, {"next", 1}} { // not the one that waits for an hour, although it was first
		got, err := s.Receive(t.Context())
		if err != nil || text(got) != want.text || got.Attempt != want.attempt {
			t.Fatalf("%q, attempt %d, %v; want %+v", text(got), got.Attempt, err, want)
		}
		settled(t, got.Settler().Ack(t.Context()))
		if want.text == "1ms" {
			publish(t, d, message("next"))
		}
	}
	if info, err := d.Info(t.Context(), "q"); err != nil || info.Messages != 1 {
		t.Errorf("%+v, %v", info, err)
	}
}
