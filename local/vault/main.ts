/**
 * The stand-in vault as a process of its own: options as JSON in `ACI_PROXY_PART`, say `{"port": 8200, "keys": ["seal"],
 * "secrets": {"job-registry": "..."}}`. Then `SEAL_KEY_ID=http://127.0.0.1:8200/keys/seal` and `VAULT_URL=http://127.0.0.1:8200`.
 */
import { servePart } from "../part.ts";
import { startVault, vaultOptions } from "./vault.ts";

await servePart((options) => startVault(vaultOptions.parse(options)));
