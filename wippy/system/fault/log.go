// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// LogArgs returns what a log should say of err, as arguments for a logger: the error, its details where
// the text does not tell them, and where in a program it came to be.
func LogArgs(err error) []any {
	text := err.Error()
	args := []any{"error", err}
	details := DetailsOf(err)
	var told []string
	for _, key := range slices.Sorted(maps.Keys(details)) {
		if value := fmt.Sprint(details[key]); value != "" && key != "stack" && !strings.Contains(text, value) {
			told = append(told, key+": "+value)
		}
	}
	if len(told) > 0 {
		args = append(args, "details", strings.Join(told, ", "))
	}
	var traced interface{ Stack() string }
	if errors.As(err, &traced) {
		if stack := traced.Stack(); stack != "" && stack != text {
			args = append(args, "stack", stack)
		}
	}
	return args
}
