// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package fs

// openFlags are further flags of every open. Directories hold no named pipes here.
const openFlags = 0
