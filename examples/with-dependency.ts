/** A function with an npm dependency: it checks a JSON body against a schema. */
import { email, flatten, object, pipe, safeParse, string } from 'valibot';

const Account = object({ name: string(), email: pipe(string(), email()) });

export default {
  async fetch(request: Request): Promise<Response> {
    const result = safeParse(Account, await request.json());
    return result.success
      ? Response.json({ welcome: result.output.name }, { status: 201 })
      : Response.json(flatten(result.issues), { status: 422 });
  },
};
