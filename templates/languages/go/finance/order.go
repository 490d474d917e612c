package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	// unit is the part of the currency that prices are whole numbers of: 4 decimals.
	unit        = 10_000
	quantityMax = 100_000
)

// With 9 digits, quantity times price fits into 64 bits.
var pricePattern = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,4}))?$`)

// order has the members of an order as they came: a member of another type is a wrong field, not a wrong order.
type order map[string]json.RawMessage

// problem is a field of an order that is wrong.
type problem struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// readOrder reads a body. One that is no JSON object is an order without members.
func readOrder(body json.RawMessage) order {
	var read order
	if json.Unmarshal(body, &read) != nil {
		return nil
	}
	return read
}

// check returns the notional of an order in units, or what is wrong with the order.
func (o order) check(config *config) (uint64, []problem) {
	var problems []problem
	wrong := func(field, reason string) { problems = append(problems, problem{field, reason}) }

	if !contains(config.Symbols, o.text("symbol")) {
		wrong("symbol", "is not traded here")
	}
	if side := o.text("side"); side != "buy" && side != "sell" {
		wrong("side", "is neither buy nor sell")
	}
	quantity, err := strconv.ParseUint(string(o["quantity"]), 10, 64)
	if err != nil || quantity < 1 || quantity > quantityMax {
		quantity = 0
		wrong("quantity", fmt.Sprintf("is not a whole number from 1 to %d", quantityMax))
	}
	price := units(o.text("price"))
	if price == 0 {
		wrong("price", "is not a text with a positive number of at most 4 decimals")
	}
	notional := quantity * price
	if notional > uint64(config.MaxNotional)*unit {
		wrong("notional", fmt.Sprintf("is more than %d", config.MaxNotional))
	}
	return notional, problems
}

// text is a member that is a text; "" when it is something else.
func (o order) text(name string) string {
	var text string
	if json.Unmarshal(o[name], &text) != nil {
		return ""
	}
	return text
}

// units reads a price such as "12.50" without rounding: 125000 units. It returns 0 for what is no price.
func units(price string) uint64 {
	parts := pricePattern.FindStringSubmatch(price)
	if parts == nil {
		return 0
	}
	digits := parts[1] + parts[2] + strings.Repeat("0", 4-len(parts[2]))
	value, _ := strconv.ParseUint(digits, 10, 64)
	return value
}

func contains(list []string, text string) bool {
	for _, each := range list {
		if each == text {
			return true
		}
	}
	return false
}
