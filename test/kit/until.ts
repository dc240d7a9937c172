/** Resolves with the first value that is not undefined; fails after this many milliseconds, saying what it waited for. */
export async function until<T>(
  what: string,
  read: () => T | undefined | Promise<T | undefined>,
  limit = 20_000,
): Promise<T> {
  const deadline = Date.now() + limit;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
