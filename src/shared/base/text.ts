/** A number with what is counted: `1 job`, `2 jobs`. */
export function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
