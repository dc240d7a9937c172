/**
 * How much of the same a test tries. The suite stays calm with the short form; `TEST_SIZE=long`, with which CI runs it on one of its two
 * versions of Node, is the other.
 */
export function sizeOf<T>(short: T, long: T): T {
  const wanted = process.env["TEST_SIZE"] ?? "short";
  if (wanted !== "short" && wanted !== "long") throw new Error(`TEST_SIZE is short or long, not "${wanted}".`);
  return wanted === "long" ? long : short;
}
