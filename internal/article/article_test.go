package article

import "time"

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
