// SPDX-License-Identifier: Apache-2.0

// Package payload holds the values that processes exchange, each with its format,
// and converts them between formats.
package payload
