/** Of the data folder: the token that was made at the first start, for the command line to find. */
export const FIRST_TOKEN_FILE = 'token';
