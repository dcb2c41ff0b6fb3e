// Command keys makes the document of secret keys that the functions read from SSM, and says how to store it.
package main

import (
	"crypto/rand"
	"fmt"
	"os"

	"tidings/internal/app"
)

func main() {
	document, err := app.NewKeys(rand.Reader)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(document))
	fmt.Fprint(os.Stderr, `
These keys are secret, and the idKey can never be replaced: store them, and keep no other copy than a backup under lock.
In AWS, once per deployment and before the first start (the parameter's name is the template's KeysParameter):

  (umask 077; make -s keys 2>/dev/null > keys.json)
  aws ssm put-parameter --name /tidings/keys --type SecureString --value file://keys.json
  rm keys.json

Without --overwrite, so that keys in use stay. To change the key of links later, edit the document: put a new key with a
new id in "signing", the old one first in "older", and only then use --overwrite.
`)
}
