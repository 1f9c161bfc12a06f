// SPDX-License-Identifier: Apache-2.0

package relay

// TooLong lets tests see the length limit without building a text of 4 GiB.
var TooLong = tooLong
