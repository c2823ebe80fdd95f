// Package natsstore keeps an outbox in the user's own NATS cluster.
package natsstore
