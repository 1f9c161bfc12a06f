// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/security"
)

// The kinds of this package.
const (
	KindPolicy     = "security.policy"
	KindExpr       = "security.policy.expr"
	KindTokenStore = "security.token_store"
)

// PolicyKinds lists those of policies.
func PolicyKinds() []string { return []string{KindPolicy, KindExpr} }

// Publisher is told about changes. It must not block.
type Publisher interface {
	Publish(system, kind, path string, data any)
}

// PolicyListener keeps a directory of policies as the entries say.
type PolicyListener struct {
	directory *security.Directory
	publisher Publisher
	warn      func(registry.Entry, []fields.Warning)
}

// NewPolicyListener fills the directory and publishes policy.register, policy.update and policy.delete. warn is told of
// fields that nobody knows.
func NewPolicyListener(d *security.Directory, p Publisher, warn func(registry.Entry, []fields.Warning)) *PolicyListener {
	return &PolicyListener{directory: d, publisher: p, warn: warn}
}

// Check implements fields.Checker.
func (l *PolicyListener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decodePolicy(e)
	return unknown, err
}

// Create adds a policy.
func (l *PolicyListener) Create(_ context.Context, e registry.Entry) error {
	return l.put(e, "policy.register")
}

// Update replaces a policy.
func (l *PolicyListener) Update(_ context.Context, _, next registry.Entry) error {
	return l.put(next, "policy.update")
}

func (l *PolicyListener) put(e registry.Entry, event string) error {
	p, unknown, err := decodePolicy(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	l.directory.Put(p, p.groups...)
	l.publisher.Publish("security", event, p.id, nil)
	return nil
}

// Delete removes a policy.
func (l *PolicyListener) Delete(_ context.Context, e registry.Entry) error {
	l.directory.Remove(e.ID.String())
	l.publisher.Publish("security", "policy.delete", e.ID.String(), nil)
	return nil
}
