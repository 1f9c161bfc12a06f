// SPDX-License-Identifier: Apache-2.0

// Package registry is a versioned store of configuration entries whose changes have to
// be accepted by the components they concern.
package registry
