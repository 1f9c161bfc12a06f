// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

// Errors of token stores.
var (
	ErrTokenFormat     = fault.New(fault.Invalid, "invalid token format").Final()
	ErrTokenNotFound   = fault.New(fault.NotFound, "token not found").Final()
	ErrStoreNotFound   = fault.New(fault.NotFound, "token store not found").Final()
	ErrBackingStore    = fault.New(fault.Unavailable, "failed to acquire backing store")
	ErrNotAStore       = fault.New(fault.Invalid, "resource is not a key-value store").Final()
	errTokenUnreadable = fault.New(fault.Internal, "the record of the token cannot be read").Final()
)

// Backing is a key-value store that tokens are kept in. All methods may be called concurrently and may block until ctx
// ends.
type Backing interface {
	// Get returns a value, or an error of kind NotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put writes JSON that is absent again after ttl.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Delete removes a value, or returns an error of kind NotFound.
	Delete(ctx context.Context, key string) error
}

// Open returns the backing store of an entry. The error is [ErrBackingStore] or [ErrNotAStore].
type Open func(id string) (Backing, error)

// Tokens holds the token stores of the application. It is a registry.Listener; all methods may be called concurrently.
type Tokens struct {
	directory *security.Directory
	open      Open
	warn      func(registry.Entry, []fields.Warning)
	now       func() time.Time

	mu     sync.RWMutex // guards stores
	stores map[string]*tokenStore
}

// NewTokens returns the listener without token stores. Scopes are rebuilt from the directory.
func NewTokens(d *security.Directory, open Open, warn func(registry.Entry, []fields.Warning)) *Tokens {
	return &Tokens{directory: d, open: open, warn: warn, now: time.Now, stores: map[string]*tokenStore{}}
}

// TokenStore returns the token store of an entry, or [ErrStoreNotFound]. It follows its entry.
func (t *Tokens) TokenStore(id string) (security.TokenStore, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, ok := t.stores[id]
	if !ok {
		return nil, ErrStoreNotFound.With("token_store", id)
	}
	return s, nil
}

// Check implements fields.Checker.
func (t *Tokens) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decodeTokenStore(e)
	return unknown, err
}

// Create adds a token store.
func (t *Tokens) Create(_ context.Context, e registry.Entry) error {
	c, unknown, err := decodeTokenStore(e)
	if err != nil {
		return err
	}
	t.warn(e, unknown)
	s := &tokenStore{tokens: t}
	s.config.Store(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stores[e.ID.String()] = s
	return nil
}

// Update changes a token store. Tokens stay valid as far as the new store and key know them.
func (t *Tokens) Update(_ context.Context, _, next registry.Entry) error {
	c, unknown, err := decodeTokenStore(next)
	if err != nil {
		return err
	}
	t.warn(next, unknown)
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s := t.stores[next.ID.String()]; s != nil {
		s.config.Store(c)
	}
	return nil
}

// Delete removes a token store. Its tokens stay in the backing store.
func (t *Tokens) Delete(_ context.Context, e registry.Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.stores[e.ID.String()]; s != nil {
		s.config.Store(nil)
	}
	delete(t.stores, e.ID.String())
	return nil
}

// tokenConfig is the decoded form of a security.token_store.
type tokenConfig struct {
	store      string
	length     int
	expiration time.Duration
	key        []byte // nil: tokens are not signed
}

func decodeTokenStore(e registry.Entry) (*tokenConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	r.Ignore("lifecycle", "token_key_env")
	c := &tokenConfig{
		store:      r.String("store", ""),
		length:     r.Int("token_length", 32),
		expiration: r.Duration("default_expiration", 24*time.Hour),
	}
	if key := r.String("token_key", ""); key != "" {
		c.key = []byte(key)
	}
	if c.store == "" {
		r.Reject("store", "store ID is required")
	} else {
		c.store = e.ID.Resolve(c.store).String()
	}
	if c.length <= 0 || c.length > maxTokenLength {
		r.Reject("token_length", "token_length must be between 1 and 1024")
	}
	if c.expiration < 0 {
		r.Reject("default_expiration", "default_expiration must not be negative")
	}
	return c, r.Unknown(), r.Err()
}

// tokenStore is the token store of one entry.
type tokenStore struct {
	tokens *Tokens
	config atomic.Pointer[tokenConfig] // nil when the entry is gone; written by the listener
}

// current returns how the store is configured at the moment.
func (s *tokenStore) current() (*tokenConfig, error) {
	c := s.config.Load()
	if c == nil {
		return nil, ErrStoreNotFound
	}
	return c, nil
}
