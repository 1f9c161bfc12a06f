// SPDX-License-Identifier: Apache-2.0

// Package security makes entries the policies and token stores of an application.
//
// A security.policy says allow or deny about actions on resources, under conditions; a security.policy.expr does so
// when an expression holds. Both fill a directory of policies, where programs and services find them by id or by
// group. What is wrong with an entry is reported, with its field, when it is loaded; a question that cannot be
// answered, such as a comparison of a text with a number, makes the policy say nothing.
//
// A security.token_store hands out tokens for an actor with a scope and recognizes them later. It keeps what it knows
// in a key-value store, so tokens live as long as that does.
//
// Policies are immutable: an update replaces them, and scopes that were made before keep what they have. Evaluation
// takes no lock and does not block. Token stores may be used by any number of goroutines; their calls take as long as
// those of the key-value store.
package security
