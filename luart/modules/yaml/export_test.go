// SPDX-License-Identifier: Apache-2.0

package yaml

// Natural is the order of keys.
var Natural = natural
