// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	service "github.com/wippyrun/kit/wippy/service/security"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

// memory is a backing store that forgets nothing by itself.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	ttl    time.Duration // of the last Put
	err    error         // that the operations fail with
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[key]
	if !ok && m.err == nil {
		return nil, fault.New(fault.NotFound, "key not found")
	}
	return v, m.err
}

func (m *memory) Put(_ context.Context, key string, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key], m.ttl = value, ttl
	return m.err
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[key]; !ok && m.err == nil {
		return fault.New(fault.NotFound, "key not found")
	}
	delete(m.values, key)
	return m.err
}

// bench is a listener for token stores with one backing store, app:kv, and one policy, app:allow.
type bench struct {
	*service.Tokens
	directory *security.Directory
	memory    *memory
	now       time.Time
}

type fixed string

func (f fixed) ID() string                                  { return string(f) }
func (f fixed) Evaluate(security.Request) security.Decision { return security.Allow }

func newBench() *bench {
	b := &bench{directory: security.NewDirectory(), memory: &memory{values: map[string][]byte{}}, now: time.Unix(1_700_000_000, 0)}
	b.directory.Put(fixed("app:allow"))
	b.Tokens = service.NewTokens(b.directory, func(id string) (service.Backing, error) {
		switch id {
		case "app:kv":
			return b.memory, nil
		case "app:db":
			return nil, service.ErrNotAStore
		}
		return nil, service.ErrBackingStore
	}, func(registry.Entry, []fields.Warning) {})
	b.SetNow(func() time.Time { return b.now })
	return b
}

// store makes a token store of the fields.
func (b *bench) store(t *testing.T, data map[string]any) security.TokenStore {
	t.Helper()
	if err := b.Create(t.Context(), entry("security.token_store", "tokens", data)); err != nil {
		t.Fatal(err)
	}
	s, err := b.TokenStore("app:tokens")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	alice = &security.Actor{ID: "alice", Meta: map[string]any{"role": "editor"}}
	scope = security.NewScope(fixed("app:allow"), fixed("app:gone"))
)

func TestTokensStandForActorAndScope(t *testing.T) {
	b := newBench()
	s := b.store(t, map[string]any{"store": "kv"})
	token, err := s.Create(t.Context(), alice, scope, security.TokenOptions{Meta: map[string]any{"device": "phone"}})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.URLEncoding.DecodeString(token); err != nil || len(raw) != 32 {
		t.Errorf("token %q: %d bytes, %v", token, len(raw), err)
	}
	actor, got, err := s.Validate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(actor, alice) {
		t.Errorf("actor %+v", actor)
	}
	if len(got.Policies()) != 1 || !got.Contains("app:allow") {
		t.Errorf("scope %v: the policy that exists is expected", got.Policies())
	}

	var record map[string]any
	if err := json.Unmarshal(b.memory.values[":"+token], &record); err != nil {
		t.Fatalf("the record is not under its key: %v", err)
	}
	want := map[string]any{
		"actor_id": "alice", "actor_meta": map[string]any{"role": "editor"}, "scope_policies": []any{"app:allow", "app:gone"},
		"created": "2023-11-14T22:13:20Z", "expires": "2023-11-15T22:13:20Z", "meta": map[string]any{"device": "phone"},
	}
	if !reflect.DeepEqual(record, want) {
		t.Errorf("record %v", record)
	}
	if b.memory.ttl != 24*time.Hour {
		t.Errorf("kept for %v", b.memory.ttl)
	}

	b.directory.Remove("app:allow")
	if _, got, err = s.Validate(t.Context(), token); err != nil || got == nil || len(got.Policies()) != 0 {
		t.Errorf("without policies: %v, %v; an empty scope is expected", got, err)
	}
	if err := s.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Validate(t.Context(), token); !errors.Is(err, service.ErrTokenNotFound) {
		t.Errorf("a revoked token: %v", err)
	}
	if err := s.Revoke(t.Context(), token); !errors.Is(err, service.ErrTokenNotFound) || fault.KindOf(err) != fault.NotFound {
		t.Errorf("revoked twice: %v", err)
	}
}

func TestTokensExpire(t *testing.T) {
	b := newBench()
	s := b.store(t, map[string]any{"store": "app:kv", "default_expiration": "1h"})
	for _, c := range []struct{ asked, lives time.Duration }{{0, time.Hour}, {time.Minute, time.Minute}} {
		token, err := s.Create(t.Context(), alice, scope, security.TokenOptions{Expiration: c.asked})
		if err != nil {
			t.Fatal(err)
		}
		if b.memory.ttl != c.lives {
			t.Errorf("kept for %v, want %v", b.memory.ttl, c.lives)
		}
		b.now = b.now.Add(c.lives - 1)
		if _, _, err := s.Validate(t.Context(), token); err != nil {
			t.Errorf("just before the end: %v", err)
		}
		b.now = b.now.Add(1)
		if _, _, err := s.Validate(t.Context(), token); !errors.Is(err, service.ErrTokenNotFound) {
			t.Errorf("at the end: %v", err)
		}
	}
}

func TestSignedTokens(t *testing.T) {
	b := newBench()
	s := b.store(t, map[string]any{"store": "kv", "token_key": "secret", "token_length": 16})
	token, err := s.Create(t.Context(), alice, scope, security.TokenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	random, signature, ok := strings.Cut(token, ".")
	if raw, err := base64.URLEncoding.DecodeString(random); !ok || err != nil || len(raw) != 16 {
		t.Errorf("first part of %q", token)
	}
	if raw, err := base64.URLEncoding.DecodeString(signature); err != nil || len(raw) != 32 {
		t.Errorf("second part of %q", token)
	}
	if _, ok := b.memory.values[":"+random]; !ok {
		t.Error("the record is not under the first part")
	}
	if _, _, err := s.Validate(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	altered := func(text string) string { // in its first letter, whatever that is
		if text[0] == 'A' {
			return "B" + text[1:]
		}
		return "A" + text[1:]
	}
	for name, bad := range map[string]string{
		"empty": "", "unsigned": random, "altered": random + "." + altered(signature), "no signature": random + ".",
		"no first part": "." + signature, "more": token + "A", "another random part": altered(random) + "." + signature,
		"three parts": token + ".x", "much too long": strings.Repeat("x", 1<<20),
	} {
		if _, _, err := s.Validate(t.Context(), bad); !errors.Is(err, service.ErrTokenFormat) || fault.KindOf(err) != fault.Invalid || err.Error() != "invalid token format" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Revoke(t.Context(), random+".wrong"); err != nil {
		t.Errorf("revoke looks at the signature: %v", err)
	}
	if err := s.Revoke(t.Context(), ""); !errors.Is(err, service.ErrTokenFormat) {
		t.Errorf("revoke of nothing: %v", err)
	}
}

func TestUnsignedTokensAreLookedUp(t *testing.T) {
	s := newBench().store(t, map[string]any{"store": "kv"})
	for token, want := range map[string]error{"": service.ErrTokenFormat, "nobody": service.ErrTokenNotFound, "a.b": service.ErrTokenNotFound} {
		if _, _, err := s.Validate(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", token, err, want)
		}
	}
}

func TestTokenStoresWithoutStore(t *testing.T) {
	for id, want := range map[string]error{"app:db": service.ErrNotAStore, "none": service.ErrBackingStore} {
		s := newBench().store(t, map[string]any{"store": id})
		_, err := s.Create(t.Context(), alice, scope, security.TokenOptions{})
		_, _, also := s.Validate(t.Context(), "token")
		if !errors.Is(err, want) || !errors.Is(also, want) || !errors.Is(s.Revoke(t.Context(), "token"), want) {
			t.Errorf("%s: %v, %v", id, err, also)
		}
	}
	b := newBench()
	b.memory.err = fault.New(fault.Unavailable, "store is closed")
	s := b.store(t, map[string]any{"store": "kv"})
	if _, err := s.Create(t.Context(), alice, scope, security.TokenOptions{}); !errors.Is(err, b.memory.err) {
		t.Errorf("Create: %v", err)
	}
	if _, _, err := s.Validate(t.Context(), "token"); !errors.Is(err, b.memory.err) {
		t.Errorf("Validate: %v", err)
	}
	b = newBench()
	b.memory.values[":broken"] = []byte("{")
	if _, _, err := b.store(t, map[string]any{"store": "kv"}).Validate(t.Context(), "broken"); fault.KindOf(err) != fault.Internal {
		t.Errorf("a broken record: %v", err)
	}
	bad := security.TokenOptions{Meta: map[string]any{"n": math.NaN()}}
	if _, err := s.Create(t.Context(), alice, scope, bad); fault.KindOf(err) != fault.Invalid {
		t.Errorf("metadata that is no JSON: %v", err)
	}
}

func TestTokenStoresFollowTheirEntry(t *testing.T) {
	b := newBench()
	s := b.store(t, map[string]any{"store": "kv"})
	plain, err := s.Create(t.Context(), alice, scope, security.TokenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	old, next := entry("security.token_store", "tokens", nil), entry("security.token_store", "tokens", map[string]any{"store": "kv", "token_key": "k"})
	if err := b.Update(t.Context(), old, next); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Validate(t.Context(), plain); !errors.Is(err, service.ErrTokenFormat) {
		t.Errorf("a token from before the key: %v", err)
	}
	if err := b.Update(t.Context(), old, old); err == nil {
		t.Error("an update without store was taken")
	}
	if err := b.Delete(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), alice, scope, security.TokenOptions{}); !errors.Is(err, service.ErrStoreNotFound) {
		t.Errorf("after the removal: %v", err)
	}
	if _, err := b.TokenStore("app:tokens"); !errors.Is(err, service.ErrStoreNotFound) {
		t.Errorf("after the removal: %v", err)
	}
}

func TestBadTokenStoresAreRejected(t *testing.T) {
	for field, c := range map[string]struct {
		data map[string]any
		text string
	}{
		"data.store":              {map[string]any{}, "store ID is required"},
		"data.token_length":       {map[string]any{"store": "kv", "token_length": 0}, "token_length must be between 1 and 1024"},
		"data.default_expiration": {map[string]any{"store": "kv", "default_expiration": "7d"}, "is not a duration"},
		"data.token_key":          {map[string]any{"store": "kv", "token_key": 5}, "token_key must be a string"},
	} {
		if err := newBench().Create(t.Context(), entry("security.token_store", "tokens", c.data)); !reports(err, field, c.text) {
			t.Errorf("%v: %v", c.data, err)
		}
	}
}
