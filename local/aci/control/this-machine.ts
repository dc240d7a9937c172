/** Whether a `Host` names this machine: a web page that reaches a local server through a name of its own sends that name. */
export const isThisMachine = (hostname: string): boolean => /^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);
