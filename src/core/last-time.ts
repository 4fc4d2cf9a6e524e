/** The end of the year 9999, behind which RFC 3339 has no times, in milliseconds since 1970. */
export const LAST_TIME = 253_402_300_799_999;
