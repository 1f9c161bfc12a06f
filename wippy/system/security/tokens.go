// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"time"
)

// TokenOptions say what a token is like. The zero value takes the store's own life time.
type TokenOptions struct {
	Expiration time.Duration  // from now on, 0 for the store's default
	Meta       map[string]any // kept with the token
}

// TokenStore hands out tokens and recognizes them. All methods may be called concurrently and may block until ctx ends.
type TokenStore interface {
	// Create returns a token that stands for the actor with the scope.
	Create(ctx context.Context, a *Actor, s *Scope, o TokenOptions) (string, error)
	// Validate returns whom a token stands for. The scope has the policies that still exist, maybe none; it is never
	// nil.
	Validate(ctx context.Context, token string) (*Actor, *Scope, error)
	// Revoke makes a token unknown.
	Revoke(ctx context.Context, token string) error
}
