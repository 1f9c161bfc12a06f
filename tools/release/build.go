// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platforms are those that binaries are made for.
var platforms = []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64"}

// build makes binaries that do not depend on where and when they are made: the same commit
// and the same Go give the same bytes.
func build(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	out := flags.String("o", "dist", "`directory` for the binaries")
	only := flags.String("only", "", "comma-separated `platforms` instead of all: "+strings.Join(platforms, ", "))
	verify := flags.Bool("verify", false, "build a second time from a clone elsewhere and compare")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	chosen := platforms
	if *only != "" {
		chosen = strings.Split(*only, ",")
		for _, p := range chosen {
			if !slices.Contains(platforms, p) {
				return fmt.Errorf("no platform %q; there are %s", p, strings.Join(platforms, ", "))
			}
		}
	}
	version := e.versions["wippy"]
	if status, err := e.git(ctx, "status", "--porcelain"); err != nil {
		return err
	} else if status != "" {
		return errors.New("the tree has changes that are not committed:\n" + status)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	names, err := e.binaries(ctx, e.repo.Root, *out, version, chosen)
	if err != nil {
		return err
	}
	for _, name := range slices.Clone(names) {
		bill, err := billOfMaterials(filepath.Join(*out, name), version)
		if err != nil {
			return err
		}
		file := strings.TrimSuffix(name, ".exe") + ".cdx.json"
		if err := os.WriteFile(filepath.Join(*out, file), bill, 0o644); err != nil {
			return err
		}
		names = append(names, file)
	}
	sums, err := checksums(*out, names)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*out, "SHA256SUMS"), []byte(sums), 0o644); err != nil {
		return err
	}
	fmt.Fprint(e.stdout, sums)
	if *verify {
		return e.verify(ctx, *out, version, chosen)
	}
	return nil
}

// binaries builds the program from the tree at root.
func (e environment) binaries(ctx context.Context, root, out, version string, chosen []string) ([]string, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	// Commit and date instead of what the toolchain would find out by itself, which depends on
	// how the tree was checked out.
	facts, err := e.git(ctx, "-C", root, "log", "-1", "--format=%H %cI")
	if err != nil {
		return nil, err
	}
	commit, date, _ := strings.Cut(strings.TrimSpace(facts), " ")
	link := fmt.Sprintf("-s -w -buildid= -X main.release=%s -X main.releaseCommit=%s -X main.releaseDate=%s", version, commit, date)
	var names []string
	for _, platform := range chosen {
		system, arch, _ := strings.Cut(platform, "/")
		name := fmt.Sprintf("wippy-%s-%s-%s", version, system, arch)
		if system == "windows" {
			name += ".exe"
		}
		fmt.Fprintln(e.stderr, "building", name)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", link, "-o", filepath.Join(out, name), "./cmd/wippy")
		cmd.Dir = filepath.Join(root, "wippy")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", platform, err, text)
		}
		names = append(names, name)
	}
	return names, nil
}

// verify builds the same commit in a clone and compares the bytes.
func (e environment) verify(ctx context.Context, out, version string, chosen []string) error {
	temp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	clone, again := filepath.Join(temp, "somewhere", "else"), filepath.Join(temp, "dist")
	if _, err := e.git(ctx, "clone", "--quiet", "--no-hardlinks", ".", clone); err != nil {
		return err
	}
	if err := os.Mkdir(again, 0o755); err != nil {
		return err
	}
	names, err := e.binaries(ctx, clone, again, version, chosen)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		first, err := digest(filepath.Join(out, name))
		if err != nil {
			return err
		}
		second, err := digest(filepath.Join(again, name))
		if err != nil {
			return err
		}
		if first != second {
			errs = append(errs, fmt.Errorf("%s differs when it is built elsewhere; is everything committed?", name))
		}
	}
	if len(errs) == 0 {
		fmt.Fprintln(e.stdout, "the same bytes when built from a clone elsewhere")
	}
	return errors.Join(errs...)
}

// checksums is in the form that sha256sum -c reads.
func checksums(dir string, names []string) (string, error) {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(names)) {
		sum, err := digest(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, name)
	}
	return b.String(), nil
}

func digest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
