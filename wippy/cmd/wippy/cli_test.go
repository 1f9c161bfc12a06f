package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runCLI(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Main(args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestMistypedCommandsAndFlagsAreGuessed(t *testing.T) {
	for want, args := range map[string][]string{
		"Error: unknown command \"rnu\"\n  hint: did you mean \"run\"?\n":                             {"rnu"},
		"Error: unknown flag: --exce\n  hint: did you mean --exec?\n":                                 {"run", "--exce", "x"},
		"Error: unknown shorthand flag: 'q' in -q\n  hint: run `wippy run --help` for a list\n":       {"run", "-q"},
		"Error: invalid exec spec \"app\": missing separator ':', expected format: namespace:entry\n": {"run", "-x", "app"},
		"Error: invalid --set \"foo\": expected section.path=value\n":                                 {"run", "--set", "foo"},
	} {
		if code, _, stderr := runCLI(args...); code != 1 || stderr != want {
			t.Errorf("%v: exit %d, stderr %q, want %q", args, code, stderr, want)
		}
	}
}

func TestHelpTeaches(t *testing.T) {
	code, stdout, _ := runCLI()
	for _, want := range []string{"wippy run -x app:main", "wippy init", "--verbose"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, %q is missing in\n%s", code, want, stdout)
		}
	}
}

func TestVersionAndPlan(t *testing.T) {
	if code, stdout, _ := runCLI("version", "--short"); code != 0 || strings.TrimSpace(stdout) == "" || strings.Count(stdout, "\n") != 1 {
		t.Errorf("version --short: %d, %q", code, stdout)
	}
	if code, stdout, _ := runCLI("boot", "--plan"); code != 0 || !strings.HasPrefix(stdout, "level 0\n") || !strings.Contains(stdout, "\n  pidgen\n") {
		t.Errorf("boot --plan: %d, %q", code, stdout)
	}
}

func TestInitKeepsModulesAndReplacesDirectories(t *testing.T) {
	dir := t.TempDir()
	lock := filepath.Join(dir, "wippy.lock")
	if err := os.WriteFile(lock, []byte("directories: {modules: old, src: old}\nmodules: [{name: a/b, version: 1.0.0}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runCLI("init", "-C", dir, "-d", "./app"); code != 0 || !strings.Contains(stderr, "lock file initialized successfully") {
		t.Fatalf("init: %d, %s", code, stderr)
	}
	text, err := os.ReadFile(lock)
	if err != nil || !strings.Contains(string(text), "src: ./app") || !strings.Contains(string(text), "a/b") {
		t.Errorf("lock %s, %v", text, err)
	}
}

func TestMemoryLimitIsParsed(t *testing.T) {
	for text, want := range map[string]int64{"512": 512, "1k": 1 << 10, "2MB": 2 << 20, "3G": 3 << 30, "1T": 1 << 40} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%s = %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "1Q", "-1", "99999999999G"} {
		if _, ok := parseSize(text); ok {
			t.Errorf("%q is taken for a size", text)
		}
	}
}
