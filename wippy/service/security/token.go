// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

const (
	// maxTokenLength bounds the random bytes of a token.
	maxTokenLength = 1024
	// maxTokenText bounds what is looked at as a token: more than the longest one, and little enough to be a key.
	maxTokenText = 2048
)

// record is what is kept of a token.
type record struct {
	ActorID   string         `json:"actor_id"`
	ActorMeta map[string]any `json:"actor_meta"`
	Policies  []string       `json:"scope_policies"`
	Created   time.Time      `json:"created"`
	Expires   time.Time      `json:"expires"`
	Meta      map[string]any `json:"meta"`
}

// keyOf is where the record of a token is kept: under its random part, an id without namespace.
func keyOf(random string) string { return ":" + random }

// sign returns the second part of a token.
func sign(key []byte, random string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(random))
	return base64.URLEncoding.EncodeToString(h.Sum(nil))
}

// random returns the first part of a token, whose signature is checked when asked for.
func (c *tokenConfig) random(token string, check bool) (string, error) {
	if token == "" || len(token) > maxTokenText {
		return "", ErrTokenFormat
	}
	if c.key == nil {
		return token, nil
	}
	random, signature, signed := strings.Cut(token, ".")
	if check && (!signed || !hmac.Equal([]byte(signature), []byte(sign(c.key, random)))) {
		return "", ErrTokenFormat
	}
	return random, nil
}

// Create implements security.TokenStore.
func (s *tokenStore) Create(ctx context.Context, a *security.Actor, scope *security.Scope, o security.TokenOptions) (string, error) {
	c, err := s.current()
	if err != nil {
		return "", err
	}
	if o.Expiration == 0 {
		o.Expiration = c.expiration
	}
	now := s.tokens.now().UTC()
	r := record{ActorID: a.ID, ActorMeta: a.Meta, Policies: []string{}, Created: now, Expires: now.Add(o.Expiration), Meta: o.Meta}
	for _, p := range scope.Policies() {
		r.Policies = append(r.Policies, p.ID())
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, "metadata cannot be kept", err).Final()
	}
	backing, err := s.tokens.open(c.store)
	if err != nil {
		return "", err
	}
	bytes := make([]byte, c.length)
	_, _ = rand.Read(bytes) // never fails
	token := base64.URLEncoding.EncodeToString(bytes)
	if err := backing.Put(ctx, keyOf(token), text, o.Expiration); err != nil {
		return "", err
	}
	if c.key != nil {
		token += "." + sign(c.key, token)
	}
	return token, nil
}

// Validate implements security.TokenStore.
func (s *tokenStore) Validate(ctx context.Context, token string) (*security.Actor, *security.Scope, error) {
	c, err := s.current()
	if err != nil {
		return nil, nil, err
	}
	random, err := c.random(token, true)
	if err != nil {
		return nil, nil, err
	}
	backing, err := s.tokens.open(c.store)
	if err != nil {
		return nil, nil, err
	}
	text, err := backing.Get(ctx, keyOf(random))
	if err != nil {
		return nil, nil, notFound(err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, nil, errTokenUnreadable.Because(err)
	}
	if !s.tokens.now().Before(r.Expires) { // the store keeps it longer than it should
		return nil, nil, ErrTokenNotFound
	}
	return &security.Actor{ID: r.ActorID, Meta: r.ActorMeta}, s.tokens.directory.Scope(r.Policies, nil, nil), nil
}

// Revoke implements security.TokenStore.
func (s *tokenStore) Revoke(ctx context.Context, token string) error {
	c, err := s.current()
	if err != nil {
		return err
	}
	random, err := c.random(token, false)
	if err != nil {
		return err
	}
	backing, err := s.tokens.open(c.store)
	if err != nil {
		return err
	}
	return notFound(backing.Delete(ctx, keyOf(random)))
}

// notFound makes the error about a key one about a token.
func notFound(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return ErrTokenNotFound
	}
	return err
}
