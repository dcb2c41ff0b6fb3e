package sim

import (
	"context"

	"tidings/internal/table"
)

// A mutation is a deliberate breakage, made at the seams between the code under test and the world.
type mutation struct {
	name    string
	wire    func(p *process)                                                         // changes what a process is made of
	write   func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) // in place of the table's
	event   func(body []byte) []byte                                                 // what feedback gets
	anySign bool                                                                     // SES takes signatures of any age
}
