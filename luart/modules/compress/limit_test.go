// SPDX-License-Identifier: Apache-2.0

package compress_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/wippyrun/kit/luart/modules/compress"
)

// TestBombsAreStopped measures what decoding allocates: 16 MiB come out of data that is small, and a quarter of
// one is wanted.
func TestBombsAreStopped(t *testing.T) {
	const size, limit = 16 << 20, 1 << 18
	for name, c := range compress.Codecs() {
		t.Run(name, func(t *testing.T) {
			bomb, err := c.Encode(context.Background(), strings.Repeat("\x00", size), "")
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out, err := c.Decode(context.Background(), bomb, "", limit)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatalf("%d bytes came out", len(out))
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
		})
	}
}

// TestFramesThatPromiseMuch are zstd frames whose header announces a gigabyte, in the content or in the window.
func TestFramesThatPromiseMuch(t *testing.T) {
	c := compress.Codecs()["zstd"]
	for name, frame := range map[string]string{
		"content": "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x40" + "\x01\x00\x00",
		"window":  "\x28\xb5\x2f\xfd\x00\xa0" + "\x01\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := c.Decode(context.Background(), frame, "", 1<<30)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d bytes were allocated; the error is %v", used, err)
			}
		})
	}
}

// TestSmallDataWithLargeWindow is what zstd writes when it does not know how much there will be.
func TestSmallDataWithLargeWindow(t *testing.T) {
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("some text ", 30000)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := compress.Codecs()["zstd"]
	if out, err := c.Decode(context.Background(), packed.String(), "", len(text)); err != nil || out != text {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if out, err := c.Decode(context.Background(), packed.String(), "", len(text)-1); err == nil {
		t.Errorf("%d bytes came out", len(out))
	}
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

func TestWorkEndsWithItsProcess(t *testing.T) {
	data := strings.Repeat("0123456789", 1<<16)
	for name, c := range compress.Codecs() {
		t.Run(name, func(t *testing.T) {
			ctx := &impatient{context.Background(), 3}
			if _, err := c.Encode(ctx, data, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("encode: %v", err)
			}
			packed, err := c.Encode(context.Background(), data, "")
			if err != nil {
				t.Fatal(err)
			}
			ctx = &impatient{context.Background(), 3}
			if _, err := c.Decode(ctx, packed, "", 1<<30); !errors.Is(err, context.Canceled) && name != "zstd" {
				t.Errorf("decode: %v", err)
			}
			if out, err := c.Decode(context.Background(), packed, "", 1<<30); err != nil || out != data {
				t.Errorf("afterwards: %d bytes, %v", len(out), err)
			}
		})
	}
}

func TestConcurrentCallsDoNotMix(t *testing.T) {
	for name, c := range compress.Codecs() {
		t.Run(name, func(t *testing.T) {
			errs := make(chan error, 8)
			for i := range cap(errs) {
				go func() {
					text := strings.Repeat(string(rune('a'+i)), 100000+i)
					for range 10 {
						packed, err := c.Encode(context.Background(), text, "")
						if err != nil {
							errs <- err
							return
						}
						if out, err := c.Decode(context.Background(), packed, "", 1<<20); err != nil || out != text {
							errs <- errors.Join(errors.New("another text came out"), err)
							return
						}
					}
					errs <- nil
				}()
			}
			for range cap(errs) {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
		})
	}
}
