/** The code of a call that was not sent, because our identity got no token for it. */
export const noToken = "NoToken";
