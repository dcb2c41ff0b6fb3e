// Package sim holds the deterministic simulation of delivery.
package sim
