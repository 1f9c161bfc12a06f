// SPDX-License-Identifier: Apache-2.0

package amqp

import (
	amqp "github.com/rabbitmq/amqp091-go"
)

// IsLost tells what a subscription takes a connection for whose end nobody has noticed yet.
func IsLost(c *amqp.Connection) bool { return isLost(&link{conn: c, lost: make(chan struct{})}) }
