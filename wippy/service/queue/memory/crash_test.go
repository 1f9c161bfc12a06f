// SPDX-License-Identifier: Apache-2.0

package memory_test

const crashEnv = "QUEUE_CRASH_DB"

func crashProgram(string) error { return nil }
