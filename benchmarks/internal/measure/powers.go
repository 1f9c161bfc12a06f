// SPDX-License-Identifier: Apache-2.0

package measure

import "flag"

var scale = flag.Int("scale", 1000, "largest number that the Scale benchmarks grow to")

// Powers returns 1, 10, 100, … up to most and to the flag -scale: how many of something a
// benchmark has, to see whether cost grows with the number.
func Powers(most int) []int {
	var list []int
	for n := 1; n <= min(most, *scale); n *= 10 {
		list = append(list, n)
	}
	return list
}
