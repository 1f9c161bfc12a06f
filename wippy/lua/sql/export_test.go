// SPDX-License-Identifier: Apache-2.0

package sql

// Contained runs an operation as the module does.
var Contained = contained
