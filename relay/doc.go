// SPDX-License-Identifier: Apache-2.0

// Package relay addresses processes and brings messages to them.
package relay
