// SPDX-License-Identifier: Apache-2.0

package crypto_test

import (
	"bytes"
	"context"
	stdpbkdf2 "crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/modules/crypto"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func TestDeriveIsPBKDF2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringN(1, -1, 100).Draw(t, "password")
		salt := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "salt")
		iterations := rapid.IntRange(1, 50).Draw(t, "iterations")
		length := rapid.IntRange(1, 300).Draw(t, "length")
		algorithm, want := sha256.New, []byte(nil)
		var err error
		if rapid.Bool().Draw(t, "sha512") {
			algorithm = sha512.New
			want, err = stdpbkdf2.Key(sha512.New, password, salt, iterations, length)
		} else {
			want, err = stdpbkdf2.Key(sha256.New, password, salt, iterations, length)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := crypto.Derive(context.Background(), algorithm, []byte(password), salt, iterations, length)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%x, %v; want %x", got, err, want)
		}
	})
}

// impatient is a context that ends when it has been asked some times.
type impatient struct {
	context.Context
	left int
}

func (c *impatient) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestDeriveEndsWithItsProcess(t *testing.T) {
	for name, c := range map[string]struct{ iterations, length int }{
		"many iterations": {10_000_000, 32},
		"many blocks":     {1, 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := &impatient{context.Background(), 3}
			key, err := crypto.Derive(ctx, sha256.New, []byte("p"), []byte("s"), c.iterations, c.length)
			if key != nil || !errors.Is(err, context.Canceled) || ctx.left != -1 {
				t.Errorf("%x, %v after %d more questions", key, err, ctx.left+1)
			}
		})
	}
}

func TestPBKDF2(t *testing.T) {
	check(t, moduletest.New(t, crypto.Module(nil)), map[string]string{
		"sha512":                `assert(hex(crypto.pbkdf2("password", "salt", 1, 64, "sha512")):sub(1, 32) == "867f70cf1ade02cff3752599a3a53dc4")`,
		"length":                `local key, err = crypto.pbkdf2("p", "s", 1, 100) assert(#key == 100 and err == nil)`,
		"fractions are cut off": `assert(crypto.pbkdf2("p", "s", 2.9, 8.9) == crypto.pbkdf2("p", "s", 2, 8))`,
		"no number raises":      `assert(not pcall(crypto.pbkdf2, "p", "s", {}, 1) and not pcall(crypto.pbkdf2, "p", "s", 1, nil))`,
	})
}

func TestPBKDF2Failures(t *testing.T) {
	moduletest.New(t, crypto.Module(nil)).CheckFailures(t, []moduletest.Failure{
		{Call: `crypto.pbkdf2("", "s", 1, 1)`, Kind: "Invalid", Text: "password cannot be empty"},
		{Call: `crypto.pbkdf2("p", "", 1, 1)`, Kind: "Invalid", Text: "salt cannot be empty"},
		{Call: `crypto.pbkdf2("p", "s", 0, 1)`, Kind: "Invalid", Text: "iterations must be positive"},
		{Call: `crypto.pbkdf2("p", "s", 10000001, 1)`, Kind: "Invalid", Text: "iterations exceeds maximum (10000000)"},
		{Call: `crypto.pbkdf2("p", "s", 1, 0)`, Kind: "Invalid", Text: "key length must be positive"},
		{Call: `crypto.pbkdf2("p", "s", 1, 1e12)`, Kind: "Invalid", Text: "key length exceeds maximum (1048576)"},
		{Call: `crypto.pbkdf2("p", "s", 1, 1, "")`, Kind: "Invalid", Text: "unsupported hash function: "},
	})
}
